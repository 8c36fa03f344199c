/** Where a coordinator listens unless told otherwise. */
export const defaultAddress = "127.0.0.1:50050";
