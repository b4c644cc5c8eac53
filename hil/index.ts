export {
  BoardLink,
  type BoardLinkHandlers,
  type BoardLinkOptions,
  silentLinkHandlers,
} from "./link/board-link.js";
export type { ClockFit } from "./link/clock-fit.js";
export type { FrameEncoding } from "./link/frame.js";
export type { Hello } from "./link/hello.js";
export { LaneListener, type LaneListenerHandlers } from "./link/lane-listener.js";
export type { LinkCounters } from "./link/link-counters.js";
export type { NetworkMessage } from "./link/network-message.js";
export {
  type NoiseCounters,
  type NoiseSettings,
  SerialNoise,
  type SerialNoiseOptions,
} from "./link/noise.js";
export { type Adapter, type AdapterKind, KIND_POLICIES } from "./enumerate/adapters.js";
export type { AttachedPort, UsbPort } from "./enumerate/attached-port.js";
export {
  type BoardIdentity,
  type IdentityEvidence,
  type IdentitySource,
  normalMac,
  shownMac,
  resolveIdentity,
} from "./enumerate/board-identity.js";
export { type BoardCheck, type BoardDoctorOptions, examineBoards } from "./enumerate/doctor.js";
export { listPorts } from "./enumerate/list-ports.js";
export { type PortHolder, portHolders, type PortHolders } from "./enumerate/port-holders.js";
export { PortWatch, type PortWatchOptions } from "./enumerate/port-watch.js";
export { type FileOwner, hostSystemFiles, type SystemFiles } from "./enumerate/system-files.js";
export { hostStateFolder, type StateFolderHints } from "./enumerate/state-folder.js";
export {
  readVirtualBoards,
  registerVirtualBoard,
  type VirtualBoard,
  virtualBoardSchema,
} from "./enumerate/virtual-registry.js";
export {
  BoardLeases,
  type BoardLeasesOptions,
  type Lease,
  type LeaseHolder,
  type LeaseRequest,
} from "./lease/board-leases.js";
export { exportPort, type PortExport, type PortExportOptions } from "./port/export-port.js";
export { MemoryPort, type MemoryPeer, type MemoryPortOptions } from "./port/memory-port.js";
export { formatPortAddress, parsePortAddress } from "./port/port-address.js";
export { createPortOpener, type PortOpenerOptions } from "./port/port-opener.js";
export type {
  ModemLines,
  Port,
  PortAddress,
  PortEnd,
  PortOpener,
  PortOpening,
  PortReceiver,
} from "./port/port.js";
export { openTtyPort, TtyPort, type TtyPortOptions } from "./port/tty-port.js";
export { createPowerControl, NO_POWER } from "./power/create-power-control.js";
export type { PowerControl, PoweredBoard, PowerHost, PowerSettings } from "./power/power-control.js";
export { hostPower } from "./power/power-host.js";
export { RecordFile } from "./record/record-file.js";
export { type PortRecord, readRecording, type Recording } from "./record/recording.js";
export { recordPorts, type RecordSink } from "./record/recording-opener.js";
export { replayPorts, type ReplayOptions } from "./record/replay-port.js";
export { parseSequence, type SequenceStep } from "./reset/line-sequence.js";
export {
  type BootEvidence,
  type ResetAttempt,
  ResetEngine,
  type ResetEngineOptions,
  type ResetOutcome,
} from "./reset/reset-engine.js";
export { type ResetMemory, ResetMemoryFile, VolatileResetMemory } from "./reset/reset-memory.js";
export type { ResetMode } from "./reset/reset-method.js";
export { DOWNLOAD_SEQUENCES, RESET_SEQUENCES } from "./reset/sequences.js";
export {
  CONTROL_LINE_BYTES,
  type ControlAnswer,
  type ControlRequest,
  controlAnswerSchema,
  readControlRequest,
} from "./power/control-protocol.js";
export {
  BoardLog,
  type BoardLogHandlers,
  type BootMode,
  type BootReport,
  compileLinePattern,
  type LinePattern,
  type LineWait,
  type LineWaitOutcome,
  type LogLevel,
  type LogLine,
  type LogWatch,
  type PanicEnd,
  type PanicReport,
  type ResetClass,
  type RestartNotice,
} from "./log/index.js";
export {
  type Bench,
  type BoardClaim,
  type BoardDoor,
  type BoardMemberOptions,
  type BoardRequest,
  type BoardSelector,
  type ClaimedBoard,
  VIRTUAL_BOARD_KINDS,
  type VirtualBoardKind,
} from "./bench/bench.js";
export { CRASH_KINDS, type CrashKind } from "./bench/crash-kinds.js";
export { BOARD_FAULTS, type BoardFaultDefinition } from "./faults/table.js";
export { BootLoader, type ChipIdentity } from "./flash/boot-loader.js";
export { checkImages, type FlashImage } from "./flash/firmware-image.js";
export {
  checkBoard,
  type ExpectedBoard,
  flashBoard,
  type FlashOptions,
  type FlashOutcome,
  type FlashProgress,
} from "./flash/flash-board.js";
export { eraseBoard, type FlashAccess, readFlash, readIdentity } from "./flash/flash-access.js";
export { type BootControl, type FlashLine, ListenedPort, openFlashLine } from "./flash/flash-line.js";
export { type FlashedImages, ImageCache } from "./flash/image-cache.js";
export { encodeSlip, SlipDecoder } from "./flash/slip.js";
export { CHIP_NAMES, type ChipName } from "./virtual/rom/chip-profile.js";
export { ChipSocket, type ChipSocketOptions } from "./virtual/rom/chip-port.js";
export { FileFlash, type FlashMemory, MemoryFlash } from "./virtual/rom/flash-memory.js";
export type { RomFaults } from "./virtual/rom/rom-faults.js";
export { type ChipApplication, VirtualChip, type VirtualChipOptions } from "./virtual/rom/virtual-chip.js";
export { referenceFirmware } from "./virtual/board-programs.js";
export type { UsbipPlace, UsbipPlan } from "./virtual/keeper-protocol.js";
export { startVirtualBench, type VirtualBench, type VirtualBenchOptions } from "./virtual/virtual-bench.js";
export {
  type RunningVirtualBoard,
  startVirtualBoard,
  type VirtualBoardOptions,
} from "./virtual/virtual-board.js";
export { AddressDecoder, type Backtrace, type CodePlace, describeBacktrace } from "./elf/index.js";
export { type BoardFile, BoardFiles } from "./flash/board-files.js";
export { deployFiles, type DeployOptions, type DeployOutcome } from "./flash/deploy.js";
export { RawRepl, type RunOptions } from "./flash/raw-repl.js";
export { parseTraceback, type Traceback, tracebackError, type TracebackFrame } from "./flash/traceback.js";
export { ChipTty } from "./virtual/rom/chip-tty.js";
export {
  type BenchFile,
  type BenchFileBoard,
  benchFileSchema,
  EMPTY_BENCH_FILE,
  parseBenchFile,
  readBenchFile,
} from "./bench/bench-file.js";
export type { BenchLease, LeaseDesk } from "./bench/bench-leases.js";
export { type BenchOptions, createBench, type LaunchedBoard } from "./bench/create-bench.js";
export { createHostBench, type HostBenchOptions } from "./bench/host-bench.js";
export { HostPorts } from "./bench/host-ports.js";
export { powerSettingsOf } from "./bench/port-hands.js";
export { PortDirectory, type PortSource } from "./bench/port-directory.js";
export { namedPort, WantedPorts } from "./bench/wanted-ports.js";
export { globMatches } from "./bench/board-matching.js";
export type { BoardHands, Patience } from "./board/board-parts.js";
export { type LineProfile, lineProfileSchema } from "./profiles/line-profile.js";
export {
  buildFirmware,
  type FirmwareBuild,
  type FirmwareOptions,
  type FirmwareTarget,
} from "./firmware/build.js";
export { imageVersion, imageWithVersion, isImage, writeFactoryFlash } from "./firmware/image.js";
export { referenceImages } from "./flash/reference-images.js";
export { type FlashCommand, flashCommandWords, runFlashCommand } from "./flash/flash-command.js";
export { provenBoot } from "./flash/proven-boot.js";
export { type RomBoard, type RomBoardOptions, startRomBoard } from "./virtual/rom-board.js";
export {
  startUsbipServer,
  type UsbipServer,
  type UsbipServerOptions,
} from "./virtual/usbip/start-usbip-server.js";
export { UsbAttachments, type UsbAttachmentsOptions } from "./virtual/usbip/usb-attachments.js";
export { UsbChip, type UsbChipOptions } from "./virtual/usbip/usb-chip.js";
export {
  USB_SERIAL_KINDS,
  type UsbPeer,
  UsbSerialDevice,
  type UsbSerialDeviceOptions,
  type UsbSerialKind,
  type UsbTrouble,
} from "./virtual/usbip/usb-serial-device.js";
