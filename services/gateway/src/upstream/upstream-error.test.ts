import { AnswerChangedError, DeadlineExceededError, UnavailableError } from "@octet/client";
import { type Failure, statusCode } from "@octet/protocol";
import { toServiceError } from "@octet/protocol/grpc";
import { expect, test } from "vitest";
import { ApiError } from "../http/api-error.ts";
import { fromUpstream } from "./upstream-error.ts";

const address = "10.1.2.3:50050";

test("what a coordinator said is told, and never where it is", () => {
  const failure: Failure = { reason: "overloaded", message: "full", retryAfterMs: 7_000 };
  const found = fromUpstream(
    new UnavailableError("UNAVAILABLE", address, failure, toServiceError(failure)),
  );
  expect(found).toMatchObject({ code: "overloaded", message: "full", retryAfterMs: 7_000 });
});

test("what the client found out by itself has a code of its own", () => {
  const late = { reason: "timeout", message: "not done" } as const;
  expect(fromUpstream(new DeadlineExceededError("DEADLINE_EXCEEDED", address, late))).toMatchObject(
    { code: "timeout", status: 504 },
  );
  const changed = { reason: "unavailable", message: "other text came" } as const;
  const cause = toServiceError({ reason: "internal", message: "gone" });
  expect(fromUpstream(new AnswerChangedError("ABORTED", address, changed, cause))).toMatchObject({
    code: "unavailable",
    message: expect.not.stringContaining(address),
  });
});

test("where nobody could be reached, and how, is the operator's to know", () => {
  const details = `No connection established. Last error: connect ECONNREFUSED ${address}`;
  const bare = Object.assign(new Error("x"), { code: statusCode.UNAVAILABLE, details });
  expect(fromUpstream(bare)).toMatchObject({
    code: "unavailable",
    message: expect.not.stringContaining(address),
  });
});

test("a status that nobody explains says nothing of its inside; our own errors stay", () => {
  const bare = Object.assign(new Error("x"), { code: statusCode.UNKNOWN, details: "secret" });
  expect(fromUpstream(bare)).toMatchObject({
    code: "internal",
    message: expect.not.stringContaining("secret"),
  });
  const own = new ApiError("cancelled", "gone");
  expect(fromUpstream(own)).toBe(own);
});
