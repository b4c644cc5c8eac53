export { ArtifactDirectory } from "./artifact-directory.js";
export type { ArtifactName } from "./artifact-name.js";
export type { Artifact, ArtifactStore } from "./artifact-store.js";
export { Artifacts, type ArtifactSettings, type ArtifactsOptions } from "./artifacts.js";
export { HttpDocuments, type HttpDocumentsOptions } from "./http-documents.js";
export { MemoryArtifacts, type MemoryArtifactsOptions } from "./memory-artifacts.js";
