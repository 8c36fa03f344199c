import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

test("what was counted is printed in Prometheus's text format, under octet_", async () => {
  const metrics = createMetrics();
  const calls = metrics.counter({ name: "calls_total", help: "Calls.", labels: ["expert"] });
  calls.add(2, { expert: "3" });
  calls.add(1, { expert: "3" });
  const seconds = metrics.histogram({ name: "call_seconds", help: "Time.", buckets: [0.1, 1] });
  for (const each of [0.05, 0.5, 5]) seconds.observe(each);
  expect((await metrics.print()).split("\n")).toEqual(
    expect.arrayContaining([
      "# HELP octet_calls_total Calls.",
      "# TYPE octet_calls_total counter",
      'octet_calls_total{expert="3"} 3',
      'octet_call_seconds_bucket{le="0.1"} 1',
      'octet_call_seconds_bucket{le="1"} 2',
      'octet_call_seconds_bucket{le="+Inf"} 3',
      "octet_call_seconds_count 3",
    ]),
  );
});

test("a gauge is what it is when it is asked, and forgets who is gone", async () => {
  const metrics = createMetrics();
  let up = ["a", "b"];
  metrics.gauge({ name: "up", help: "Up.", labels: ["worker"] }, () =>
    up.map((worker) => ({ value: 1, labels: { worker } })),
  );
  metrics.gauge({ name: "waiting", help: "Waiting." }, () => [{ value: up.length }]);
  expect(await metrics.print()).toContain('octet_up{worker="b"} 1\n');
  metrics.readCounter({ name: "ups_total", help: "Ups." }, () => up.length);
  up = ["a"];
  const text = await metrics.print();
  expect(text).toContain('octet_up{worker="a"} 1\n');
  expect(text).not.toContain('worker="b"');
  expect(text).toContain("octet_waiting 1\n");
  expect(text).toContain("octet_ups_total 1\n");
  expect(await metrics.print()).toContain("octet_ups_total 1\n");
});
