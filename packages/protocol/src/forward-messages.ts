import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  ForwardRequestSchema,
  ForwardResponseSchema,
} from "./gen/octet/expert/v1/expert_pb.ts";

/** A request as its sender writes it down. */
export type ForwardRequestInit = MessageInitShape<typeof ForwardRequestSchema>;

/** A response as its sender writes it down. */
export type ForwardResponseInit = MessageInitShape<typeof ForwardResponseSchema>;
