// Every limit that two sides of a wire must agree on. A limit is positive; "unlimited" is not one.

/** Most rows one expert call may carry; prefill is chunked below it. */
export const rowsPerCallMax = 1024;

/** Largest activation payload: rowsPerCallMax rows of f32 at H = 16384. */
export const activationBytesMax = rowsPerCallMax * 16_384 * 4;

/** Largest gRPC message either end accepts: a payload and its envelope. */
export const messageBytesMax = activationBytesMax + 64 * 1024;

/** Most layers a model may have. */
export const numLayersMax = 512;
/** Most experts a layer may have. */
export const numExpertsMax = 64;
/** Most experts a token may choose. */
export const numExpertsPerTokenMax = 8;

/** Largest prompt text a request may carry, in bytes. */
export const promptBytesMax = 4 * 1024 * 1024;

/** Stop strings one request may carry. */
export const stopStringsMax = 16;
/** Longest stop string, in UTF-16 code units. */
export const stopStringLengthMax = 256;

/** Most answers to one request. */
export const answersMax = 8;

/** Longest name of a client, in UTF-16 code units. */
export const clientIdLengthMax = 256;
/** Longest salt of the prefix cache, in UTF-16 code units. */
export const cacheSaltLengthMax = 256;

/** Stop token ids one request may carry. */
export const stopTokenIdsMax = 64;

/** Likeliest tokens that logprobs may list beside the chosen one. */
export const topLogprobsMax = 20;

/** Expert calls one stream may have in flight. */
export const callsInFlightMax = 1024;

/** Tokens one request may give a bias. */
export const logitBiasEntriesMax = 1024;
/** Largest bias of a logit, up or down: enough to choose or to ban a token. */
export const logitBiasMax = 100;
/** Largest presence or frequency penalty, up or down. */
export const penaltyMax = 2;
/** Token ids one request may allow. */
export const allowedTokenIdsMax = 32_768;
/** Most words that an answer may not say. */
export const badWordsMax = 128;
/** And most tokens of one. */
export const badWordTokensMax = 64;
/** Most tokens whose logprobs are listed because a request names them. */
export const logprobTokenIdsMax = 1024;
