import type { SuiteRecord } from "../record/run-record.js";
import { renderConsole } from "./console.js";
import { renderGithubAnnotations } from "./github.js";
import { renderHtml } from "./html/page.js";
import { renderJson } from "./json.js";
import { renderJunit } from "./junit.js";
import { renderMarkdown } from "./markdown.js";

/** A report format: what `--report name=file` accepts. */
export interface Renderer {
  readonly render: (suite: SuiteRecord) => string;
  /** Of the file, with the dot. */
  readonly extension: string;
  readonly description: string;
}

/** Columns of console output that goes to a file. */
const FILE_WIDTH = 120;

/** The file formats of reports, by the names that scenarios and options use. */
export const RENDERERS = {
  json: {
    render: renderJson,
    extension: ".json",
    description: "everything measured, versioned, for programs and for comparing runs",
  },
  junit: {
    render: renderJunit,
    extension: ".xml",
    description: "JUnit XML: one test case per expectation, for GitLab and Jenkins",
  },
  html: {
    render: renderHtml,
    extension: ".html",
    description: "one page for people: charts and tables, without network or scripts",
  },
  markdown: {
    render: renderMarkdown,
    extension: ".md",
    description: "Markdown summary, for GitHub's job summary",
  },
  github: {
    render: renderGithubAnnotations,
    extension: ".txt",
    description: "GitHub workflow commands: annotations on the lines of the scenario",
  },
  console: {
    render: (suite) => renderConsole(suite, { color: false, width: FILE_WIDTH }),
    extension: ".txt",
    description: "the text a terminal shows, without colour",
  },
} as const satisfies Readonly<Record<string, Renderer>>;

/** A name in `RENDERERS`. */
export type RendererName = keyof typeof RENDERERS;
/** The names of `RENDERERS`, in their order. */
export const RENDERER_NAMES = Object.keys(RENDERERS) as readonly RendererName[];
