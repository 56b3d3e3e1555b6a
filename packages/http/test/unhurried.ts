/** Limits that no machine is too slow for. */
export const unhurried = { attemptTimeout: "1 hour", callTimeout: "2 hours" } as const
