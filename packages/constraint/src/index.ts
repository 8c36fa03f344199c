export { ConstraintError, type ConstraintErrorCode } from "./constraint-error.ts";
export type { ConstraintLimits } from "./constraint-limits.ts";
export type { ConstraintSpec, ToolShape } from "./constraint-spec.ts";
export {
  type CheckedConstraint,
  type Constraints,
  type ConstraintsOptions,
  createConstraints,
} from "./constraints.ts";
export { toolCallId } from "./tools/tool-call-id.ts";
export { type ParsedAnswer, ToolCallParser } from "./tools/tool-call-parser.ts";
export { toolCallsMax, toolGrammar, toolsMax } from "./tools/tool-grammar.ts";
