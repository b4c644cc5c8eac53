/**
 * Sets an own, plain property whatever the key is called. Keys come from the network: assigning `__proto__` would
 * replace the object's prototype instead of storing data.
 */
export function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
  if (key !== "__proto__") {
    target[key] = value;
    return;
  }
  Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
}
