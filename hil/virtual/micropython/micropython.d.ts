declare module "@micropython/micropython-webassembly-pyscript" {
  import type { MemoryFiles } from "./board-files.js";
  interface MicroPython {
    readonly _module: {
      _mp_hal_get_interrupt_char(): number;
      _mp_sched_keyboard_interrupt(): void;
    };
    readonly FS: MemoryFiles;
    registerJsModule(name: string, module: object): void;
    runPython(code: string): unknown;
    replInit(): void;
    replProcessChar(byte: number): number;
  }
  export function loadMicroPython(options: {
    readonly heapsize: number;
    readonly linebuffer: false;
    stdin(): number | null;
    stdout(bytes: Uint8Array): void;
    stderr(bytes: Uint8Array): void;
  }): Promise<MicroPython>;
}
