export { ArtifactDirectory } from "./artifact-directory.js";
export type { Artifact, ArtifactStore } from "./artifact-store.js";
export { Artifacts, type ArtifactSettings } from "./artifacts.js";
export { HttpDocuments } from "./http-documents.js";
export { MemoryArtifacts } from "./memory-artifacts.js";
