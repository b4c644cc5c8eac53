export { StreamDelivery } from "./stream-delivery.js";
export {
  type CreateStreamRequest,
  type Stream,
  Streams,
  type UpdateStreamRequest,
} from "./streams.js";
