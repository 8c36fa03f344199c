// Nothing that a user wrote, or a model answered, is in any log, whatever its level.
import { InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { expect, test } from "vitest";
import { shardGolden, startCoordinator, TestedWorkers } from "./service-cluster.ts";

const secret = "Zanzibar";

test("prompts, answers and token ids are never logged, even when requests fail", async () => {
  await using shards = await shardGolden("plain", "bf16");
  await using workers = await TestedWorkers.start(shards.index);
  await using coordinator = await startCoordinator(shards.index, workers.placement);
  const client = createClient(InferenceService, coordinator.address);
  const text = { case: "text" as const, value: `${secret} is where` };
  const requests = [
    { input: text, stop: { maxTokens: 20, strings: [`${secret}!`] } },
    { input: text, sampling: { topP: 9 } },
    { input: text, model: secret },
    { input: { case: "tokens" as const, value: { ids: [1, 271_828] } } },
    {
      input: {
        case: "chat" as const,
        value: { messages: [{ role: "assistant", content: secret }] },
      },
    },
  ];
  const answers: string[] = [];
  for (const request of requests) {
    let answer = "";
    const call = client.generate({ ...request, details: true }, { deadlineMs: 10_000 });
    call.on("data", ({ event }) => {
      if (event.case === "delta") answer += event.value.text;
    });
    call.on("error", () => {});
    await new Promise((resolve) => call.on("status", resolve));
    answers.push(answer);
  }
  client.close();
  expect(answers[0]).not.toBe("");
  const services = [coordinator, ...workers.workers];
  const logged = JSON.stringify(services.flatMap((service) => service.lines));
  expect(logged).toContain("ready");
  const answered = JSON.stringify(answers[0]).slice(1, -1); // as a log would escape it
  for (const words of [secret, "271828", answered]) expect(logged).not.toContain(words);
}, 60_000);
