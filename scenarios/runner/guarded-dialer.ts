import type { Dialer, DialHandlers, PacketReceiver } from "fleetrig/protocol";

/**
 * Keeps what a device throws while a socket hands it something from ending the process: a model of the user's
 * may throw, and the run, not the test suite around it, is what failed then.
 */
export function createGuardedDialer(inner: Dialer, failed: (error: unknown) => void): Dialer {
  const guard = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      failed(error);
    }
  };
  const guardReceiver = (receiver: PacketReceiver): PacketReceiver => ({
    received: (packet, bytes) => guard(() => receiver.received(packet, bytes)),
    closed: (reason) => guard(() => receiver.closed(reason)),
  });
  const guardHandlers = (handlers: DialHandlers): DialHandlers => ({
    opened: (link) => {
      let receiver: PacketReceiver = { received: () => undefined, closed: () => undefined };
      guard(() => {
        receiver = guardReceiver(handlers.opened(link));
      });
      return receiver;
    },
    failed: (reason) => guard(() => handlers.failed(reason)),
  });
  return { dial: (handlers) => inner.dial(guardHandlers(handlers)) };
}
