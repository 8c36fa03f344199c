import { mixtralWidth } from "../model/mixtral-width.ts";

/** Mixtral 8x7B, at whose width one bf16 row is 8 KiB and 512 rows are 4 MiB. */
export const identityModel = mixtralWidth(32);
