export { Api, type ApiOptions } from "./api.js";
export { decideAccess } from "./decide-access.js";
export type { Caller, HttpRequest, HttpResponse } from "./http.js";
export type { RequiredAccess } from "./operation.js";
export { OPERATIONS } from "./operations/index.js";
