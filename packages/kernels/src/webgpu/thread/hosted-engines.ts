// Which engines the GPU thread can load.
import { attentionLoader } from "../attention-loaded.ts";
import { expertLoader } from "../expert-loaded.ts";
import type { OpenRequest } from "./protocol.ts";
import type { LoadEngine } from "./recovering-engine.ts";

export function loaderOf(request: OpenRequest): LoadEngine {
  switch (request.engine) {
    case "expert":
      return expertLoader(request.options);
    case "attention":
      return attentionLoader(request.options);
  }
}
