export { StreamDelivery, type StreamDeliveryParts } from "./stream-delivery.js";
export {
  type CreateStreamRequest,
  type Stream,
  type StreamFile,
  Streams,
  type UpdateStreamRequest,
} from "./streams.js";
