import { create } from "@bufbuild/protobuf";
import { ClusterStateSchema } from "@octet/protocol";
import { expect, test } from "vitest";
import { printClusterState } from "./print-cluster-state.ts";

test("columns are as wide as what is in them, and who is away is explained", () => {
  const state = create(ClusterStateSchema, {
    model: "mixtral",
    kvCache: { blockTokens: 16, blocksTotal: 100, blocksFree: 90, blocksCached: 7 },
    scheduler: { running: 2, waiting: 1, draftTokens: 40n, acceptedDraftTokens: 31n },
    workers: [
      {
        workerId: "expert-0",
        address: "10.0.0.1:50051",
        engineKind: "cpu",
        expertIds: [0, 1],
        connected: true,
        weightBytes: 3_200_000_000n,
        residentBytes: 3_300_000_000n,
      },
      { address: "10.0.0.2:50051", expertIds: [2], lastError: "connection refused" },
    ],
  });
  expect(printClusterState(state)).toBe(`mixtral: not ready
2 running, 1 waiting; KV cache: 3 of 100 blocks of 16 tokens, and 7 kept for prompts that begin alike
31 of 40 guessed tokens were right

EXPERT  WORKER    ADDRESS         STATE      ENGINE  WEIGHTS  RAM
0,1     expert-0  10.0.0.1:50051  connected  cpu     3.20 GB  3.30 GB
2       -         10.0.0.2:50051  away       -       -        -
10.0.0.2:50051: connection refused
`);
});
