// Whether a coordinator guesses next tokens, as a flag of whatever starts one.
import { Option } from "commander";

/** `--speculation`; unset leaves it to the coordinator. */
export function speculationOption(): Option {
  return new Option(
    "--speculation <when>",
    "guess next tokens and check several in one step (OCTET_SPECULATION; default: auto)",
  ).choices(["auto", "off"]);
}
