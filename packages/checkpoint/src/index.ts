export { CheckpointError, type CheckpointErrorCode } from "./checkpoint-error.ts";
export { readModelConfig } from "./hugging-face-config.ts";
export { type OpenedShard, type OpenShardOptions, openShard } from "./open-shard.ts";
export type { NamedTensor } from "./safetensors-header.ts";
export {
  type ShardOptions,
  type ShardProgress,
  type ShardReport,
  shardCheckpoint,
} from "./shard-checkpoint.ts";
export {
  type ShardManifest,
  shardFormatVersion,
  type TokenizerFile,
  type WeightsRecord,
} from "./shard-manifest.ts";
export { readShardSet, type ShardEntry, type ShardSetIndex } from "./shard-set.ts";
export type { SourceFileIdentity, SourceIdentity } from "./source-identity.ts";
