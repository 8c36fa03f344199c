export { expertClientConformance, type OpenExpertClient } from "./expert-client-conformance.ts";
