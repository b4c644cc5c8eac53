export { Authorizers } from "./authorizers.js";
export type {
  Authorizer,
  CreateAuthorizerRequest,
  ListAuthorizersRequest,
  UpdateAuthorizerRequest,
} from "./authorizer-store.js";
export type { TestInvokeRequest } from "./test-invoke.js";
