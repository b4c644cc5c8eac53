import { RENDERER_NAMES, type RendererName } from "fleetrig/reports";

/** What `report.formats` may name: every report kind. */
export const REPORT_FORMATS = [...RENDERER_NAMES] as unknown as readonly [RendererName, ...RendererName[]];

/** What `--report-dir` writes for a scenario that does not say. */
export const USUAL_FORMATS: readonly RendererName[] = ["json", "junit", "html", "markdown"];
