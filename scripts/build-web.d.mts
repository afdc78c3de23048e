/** Leaves a current build of the page in web/dist. */
export function buildWeb(): Promise<void>;
