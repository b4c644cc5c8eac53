export type { Authorization } from "./authorizer-response.js";
export { Authorizers, type AuthorizersOptions } from "./authorizers.js";
export type {
  Authorizer,
  AuthorizerStatus,
  CreateAuthorizerRequest,
  ListAuthorizersRequest,
  UpdateAuthorizerRequest,
} from "./authorizer-store.js";
export type { TestInvokeRequest } from "./test-invoke.js";
