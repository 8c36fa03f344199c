// What workers say of themselves on the wire.
import { type DescribeResponse, ExpertService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import type { TestedService } from "../cluster/service-cluster.ts";

/** Asks each worker, in their order. */
export async function describeWorkers(
  workers: readonly TestedService[],
): Promise<DescribeResponse[]> {
  return Promise.all(
    workers.map(async ({ address }) => {
      const client = createClient(ExpertService, address);
      try {
        return await client.describe({}, { deadlineMs: 5_000 });
      } finally {
        client.close();
      }
    }),
  );
}
