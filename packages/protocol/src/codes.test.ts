import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import {
  CallFailureCode,
  fromCallFailureCode,
  statusCode,
  toCallFailureCode,
  toStatusError,
} from "./index.ts";

const failureCodes = Object.values(CallFailureCode);

test("every failure code of the wire but UNSPECIFIED has a reason of its own", () => {
  for (const code of failureCodes.filter((each) => each !== CallFailureCode.UNSPECIFIED)) {
    expect(toCallFailureCode(fromCallFailureCode(code))).toBe(code);
  }
});

test("a failure code from the future is the worker's internal failure", () => {
  expect(fromCallFailureCode(CallFailureCode.UNSPECIFIED)).toBe("internal");
  expect(fromCallFailureCode((Math.max(...failureCodes) + 1) as CallFailureCode)).toBe("internal");
});

test("an expert that no worker holds is, to the caller, away", () => {
  expect(toStatusError("not-held", "expert 3").code).toBe(status.UNAVAILABLE);
});

test("a detail is cut to fit a header and keeps whole characters", () => {
  const { details } = toStatusError("internal", `${"x".repeat(1023)}😀 and more`);
  expect(details).toHaveLength(1024);
  expect(details.isWellFormed()).toBe(true);
});

test("status codes are grpc-js's", () => {
  const theirs = Object.entries(status).filter(([, code]) => typeof code === "number");
  expect(statusCode).toEqual(Object.fromEntries(theirs));
});
