/** Says whether `a` comes before `b` in the answer. */
export type Before<T> = (a: T, b: T) => boolean;

/** The first `count` of `items` in the order of `before`; memory and time are bounded by `count`, not by the items. */
export function topOf<T>(items: Iterable<T>, count: number, before: Before<T>): T[] {
  // A heap whose root is the last of those kept so far: the first to go when a better one comes.
  const heap: T[] = [];
  if (count <= 0) return heap;
  for (const item of items) {
    if (heap.length < count) {
      heap.push(item);
      siftUp(heap, before);
    } else if (before(item, heap[0]!)) {
      heap[0] = item;
      siftDown(heap, before);
    }
  }
  return heap.sort((a, b) => (before(a, b) ? -1 : before(b, a) ? 1 : 0));
}

function siftUp<T>(heap: T[], before: Before<T>): void {
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (!before(heap[parent]!, heap[at]!)) return;
    swap(heap, at, parent);
    at = parent;
  }
}

function siftDown<T>(heap: T[], before: Before<T>): void {
  for (let at = 0; ; ) {
    let last = at;
    for (const child of [2 * at + 1, 2 * at + 2])
      if (child < heap.length && before(heap[last]!, heap[child]!)) last = child;
    if (last === at) return;
    swap(heap, at, last);
    at = last;
  }
}

function swap(heap: unknown[], a: number, b: number): void {
  const item = heap[a];
  heap[a] = heap[b];
  heap[b] = item;
}
