import { shownMac } from "../enumerate/board-identity.js";
import type { BoardRequest, BoardSelector } from "./bench.js";

/** A board as far as anybody knows it; what is undefined is not known. */
export interface BoardFacts {
  /** As users write it. */
  readonly path: string;
  /** Links that lead to it. */
  readonly aliases: readonly string[];
  readonly mac: string | undefined;
  readonly chip: string | undefined;
  /** Of the bench file and, for virtual boards, of the registry; with the name that the bench file gives. */
  readonly tags: readonly string[];
}

/** Why a board is not the one that is wanted; undefined when it is. */
export function mismatch(select: BoardSelector, facts: BoardFacts): string | undefined {
  const { port, mac, chip, tags = [] } = select;
  const { path } = facts;
  if (port !== undefined && !isAt(port, facts)) return `${path} is another port`;
  if (mac !== undefined && facts.mac !== mac) {
    return facts.mac === undefined ? `${path} does not say who it is` : `${path} is ${shownMac(facts.mac)}`;
  }
  if (chip !== undefined && facts.chip !== chip) {
    return facts.chip === undefined ? `${path} does not say what it is` : `${path} is a ${facts.chip}`;
  }
  const missing = tags.find((tag) => !facts.tags.includes(tag));
  return missing === undefined ? undefined : `${path} is not tagged ${missing}`;
}

/** What a request wants, as files and people write it: `mac 7c:df:a1:00:11:22, tag lab`. */
export const shownSelector = ({ mac, chip, tags = [], port }: BoardSelector): string =>
  [
    mac === undefined ? [] : `mac ${shownMac(mac)}`,
    chip === undefined ? [] : `chip ${chip}`,
    tags.map((tag) => `tag ${tag}`),
    port === undefined ? [] : `port ${port}`,
  ]
    .flat()
    .join(", ");

const isAt = (port: string, { path, aliases }: BoardFacts): boolean =>
  globMatches(port, path) || aliases.some((alias) => globMatches(port, alias));

/** Whether something about a board has to be asked of it before this request can be judged. */
export const needsHello = ({ select }: BoardRequest, facts: BoardFacts): boolean => {
  const { port, mac, chip } = select;
  if (port !== undefined && !isAt(port, facts)) return false;
  return (mac !== undefined && facts.mac === undefined) || (chip !== undefined && facts.chip === undefined);
};

/** `*` stands for anything but a slash, `?` for one such character. */
export function globMatches(glob: string, text: string): boolean {
  if (glob === text) return true;
  if (!/[*?]/.test(glob)) return false;
  // Greedy with one point to go back to: linear for paths, and never worse than the product of both lengths.
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < text.length; ) {
    const sign = glob[at];
    if (sign === "*") {
      star = at;
      resume = i;
      at += 1;
    } else if (sign === text[i] || (sign === "?" && text[i] !== "/")) {
      at += 1;
      i += 1;
    } else if (star >= 0 && text[resume] !== "/") {
      at = star + 1;
      resume += 1;
      i = resume;
    } else {
      return false;
    }
  }
  while (glob[at] === "*") at += 1;
  return at === glob.length;
}

/** How exactly a request names its board: the more, the earlier it chooses. */
const exactness = ({ select: { mac, port, tags, chip } }: BoardRequest): number =>
  (mac === undefined ? 0 : 1_000) +
  (port === undefined ? 0 : /[*?]/.test(port) ? 50 : 500) +
  10 * (tags?.length ?? 0) +
  (chip === undefined ? 0 : 1);

/**
 * Gives as many requests a board as can have one, those that name theirs more exactly first. Whoever has chosen keeps a board, but not
 * necessarily that one, when somebody else needs it.
 * @returns for each request the index of its board, or undefined
 */
export function matchBoards(
  requests: readonly BoardRequest[],
  boards: readonly BoardFacts[],
): readonly (number | undefined)[] {
  const order = requests
    .map((_, index) => index)
    .sort((a, b) => exactness(requests[b]!) - exactness(requests[a]!) || a - b);
  const owner = new Map<number, number>();
  const place = (request: number, visited: Set<number>): boolean => {
    const { select } = requests[request]!;
    for (let board = 0; board < boards.length; board += 1) {
      if (visited.has(board) || mismatch(select, boards[board]!) !== undefined) continue;
      visited.add(board);
      const present = owner.get(board);
      if (present !== undefined && !place(present, visited)) continue;
      owner.set(board, request);
      return true;
    }
    return false;
  };
  for (const request of order) place(request, new Set());
  const chosen: (number | undefined)[] = requests.map(() => undefined);
  for (const [board, request] of owner) chosen[request] = board;
  return chosen;
}
