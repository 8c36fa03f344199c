export {
  type ExpertCallCode,
  ExpertCallError,
  type ExpertClient,
  type ExpertReply,
} from "./expert-client.ts";
