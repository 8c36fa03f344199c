// What a coordinator can answer with now: nothing yet, or a model.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ModelSchema } from "@octet/protocol";
import type { ClusterStateFeed } from "./cluster-state.ts";
import type { GenerateContext } from "./generation.ts";
import { RequestError } from "./request-error.ts";

/** A model that is served. */
export interface InferenceContext extends GenerateContext {
  /** As it is served now: workers come and go. */
  readonly describeModel: () => MessageInitShape<typeof ModelSchema>;
  readonly clusterState: ClusterStateFeed;
}

/** What a coordinator has to serve. */
export type Serving =
  /** The shard's bytes are being checked. */
  | { readonly kind: "loading"; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly kind: "loaded"; readonly context: InferenceContext };

/** @throws {RequestError} "model_loading", with how far it is, before there is a model */
export function requireLoaded(serving: Serving): InferenceContext {
  if (serving.kind === "loaded") return serving.context;
  const { doneBytes, totalBytes } = serving;
  throw new RequestError("model_loading", "the model is being loaded; ask again in a moment", {
    metadata: { done_bytes: `${doneBytes}`, total_bytes: `${totalBytes}` },
  });
}
