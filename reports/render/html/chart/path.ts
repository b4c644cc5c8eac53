/** SVG path data. A point without a value breaks the line: a gap is shown as a gap. */
export type PathPoint = readonly [x: number, y: number | null];

const at = (value: number): string => String(Math.round(value * 10) / 10);

/** Runs of neighbouring points that have values. */
function unbroken(points: readonly PathPoint[]): (readonly [x: number, y: number])[][] {
  const runs: [number, number][][] = [[]];
  for (const [x, y] of points) {
    if (y === null) runs.push([]);
    else runs.at(-1)!.push([x, y]);
  }
  return runs.filter((run) => run.length > 0);
}

/** A lone point is drawn as a dot: a line without length with round ends. */
export const linePath = (points: readonly PathPoint[]): string =>
  unbroken(points)
    .map((run) =>
      run.length === 1
        ? `M${at(run[0]![0])} ${at(run[0]![1])}h0`
        : `M${run.map(([x, y]) => `${at(x)} ${at(y)}`).join("L")}`,
    )
    .join("");

/** The value holds until the next point. */
export const stepPath = (points: readonly PathPoint[]): string =>
  unbroken(points)
    .map((run) => `M${at(run[0]![0])} ${at(run[0]![1])}${run.map(([x, y]) => `H${at(x)}V${at(y)}`).join("")}`)
    .join("");

/** The area between a line and the floor. */
export const areaPath = (points: readonly PathPoint[], floor: number): string =>
  unbroken(points)
    .map((run) => {
      const top = run.map(([x, y]) => `${at(x)} ${at(y)}`).join("L");
      return `M${at(run[0]![0])} ${at(floor)}L${top}L${at(run.at(-1)![0])} ${at(floor)}Z`;
    })
    .join("");

/** The area between two lines over the same points. */
export const bandPath = (
  xs: readonly number[],
  upper: readonly number[],
  lower: readonly number[],
): string => {
  const top = xs.map((x, index) => `${at(x)} ${at(upper[index]!)}`);
  const bottom = xs.map((x, index) => `${at(x)} ${at(lower[index]!)}`).reverse();
  return top.length === 0 ? "" : `M${[...top, ...bottom].join("L")}Z`;
};
