import { type ChildProcess, spawn } from "node:child_process";
import type { GuestImage } from "./guest-image.js";

export interface GuestOptions {
  readonly image: GuestImage;
  /** That of the image, with what else is to be in memory from the start. */
  readonly initrd: string;
  /** Started in the guest, which sees the files of this machine. */
  readonly program: string;
  /** Of the program, without spaces. */
  readonly argument: string;
  readonly line: (text: string) => void;
}

const MACHINE =
  "-M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1500M -nodefaults -no-user-config -display none -no-reboot";
const SHARED = "readonly=on,security_model=none,multidevs=remap";

/** A running guest. */
export class Guest {
  private readonly child: ChildProcess;
  readonly ended: Promise<void>;
  private text = "";

  constructor({ image, initrd, program, argument, line }: GuestOptions) {
    const words = `console=hvc0 quiet panic=-1 usb.node=${process.execPath} usb.program=${program} usb.argument=${argument}`;
    this.child = spawn(
      "qemu-system-x86_64",
      [
        ...MACHINE.split(" "),
        "-kernel",
        image.kernel,
        "-initrd",
        initrd,
        "-append",
        words,
        "-virtfs",
        `local,path=/,mount_tag=machine,${SHARED}`,
        "-device",
        "virtio-serial-pci",
        "-chardev",
        "stdio,id=console",
        "-device",
        "virtconsole,chardev=console",
        "-netdev",
        "user,id=net",
        "-device",
        "virtio-net-pci,netdev=net,romfile=",
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("exit", () => resolve());
    });
    process.once("exit", () => this.kill());
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => process.exit(1));
    this.child.stdout!.setEncoding("utf8").on("data", (piece: string) => {
      const lines = (this.text + piece).split(/\r*\n/);
      this.text = lines.pop()!;
      for (const text of lines) line(text);
    });
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}
