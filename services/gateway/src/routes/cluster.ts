// GET /v1/cluster: how each coordinator's cluster is now.
import { toJson } from "@bufbuild/protobuf";
import { type ClusterState, ClusterStateSchema } from "@octet/protocol";

/** A cluster's state with the names of the .proto, whatever is zero or empty included. */
export function toClusterBody(state: ClusterState): unknown {
  return toJson(ClusterStateSchema, state, { useProtoFieldName: true, alwaysEmitImplicit: true });
}
