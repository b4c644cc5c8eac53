/**
 * Everything in which an object can keep others - maps, sets, arrays - found by walking through its fields, so that
 * no part of a broker can be forgotten here. Names are the ways to them.
 */
export function containerSizes(root: object, ignored: ReadonlySet<string>): Map<string, number> {
  const sizes = new Map<string, number>();
  const seen = new Set<object>();
  const waiting: { readonly value: object; readonly path: string }[] = [{ value: root, path: "" }];
  for (const { value, path } of waiting) {
    if (seen.has(value) || ArrayBuffer.isView(value)) continue;
    seen.add(value);
    const size = sizeOf(value);
    if (size !== undefined) sizes.set(path, size);
    for (const [name, child] of childrenOf(value)) {
      const way = path === "" ? name : `${path}.${name}`;
      if (typeof child === "object" && child !== null && !ignored.has(way))
        waiting.push({ value: child, path: way });
    }
  }
  return sizes;
}

function sizeOf(value: object): number | undefined {
  if (value instanceof Map || value instanceof Set) return value.size;
  return Array.isArray(value) ? value.length : undefined;
}

function childrenOf(value: object): (readonly [string, unknown])[] {
  if (value instanceof Map)
    return Array.from(value, ([key, child]) => [typeof key === "object" ? "<key>" : String(key), child]);
  if (value instanceof Set) return Array.from(value, (child) => ["*", child]);
  return Object.entries(value);
}
