import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { type ArchiveEntry, cpioArchive, filesOf } from "./cpio-archive.js";

/**
 * A small Linux for QEMU, made of Debian's packages: the stock kernel with the drivers of serial adapters, udev and the tools of USB/IP. Its files are those
 * of this machine, seen through 9p; the packages' own lie over them.
 */
export interface GuestImage {
  readonly kernel: string;
  /** With the files of the packages, which are laid over those of this machine. */
  readonly initrd: string;
}

const PACKAGES = ["busybox-static", "usbip", "libwrap0", "udev", "libudev1", "libkmod2"] as const;
const MODULES = [
  "virtio_pci",
  "9pnet_virtio",
  "9p",
  "overlay",
  "virtio_net",
  "virtio_console",
  "vhci_hcd",
  "cdc_acm",
  "cp210x",
  "ch341",
  "ftdi_sio",
] as const;
/** Bumped when the same packages would make another image. */
const LAYOUT = "3";

/** Makes the image, or takes the one that is there from an earlier run. @param cache A folder that may be kept between runs */
export function makeGuestImage(cache: string, init: string): GuestImage {
  const kernelPackage = newestKernel();
  const image = {
    kernel: join(cache, "vmlinuz"),
    initrd: join(cache, "initrd.cpio"),
  };
  const overlay = join(cache, "overlay");
  const stamp = join(cache, "stamp");
  const wanted = `${LAYOUT} ${versionsOf([kernelPackage, ...PACKAGES])}\n${init}`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return image;
  rmSync(cache, { recursive: true, force: true });
  const downloads = join(cache, "downloads");
  mkdirSync(downloads, { recursive: true });
  run("apt-get", ["download", "-qq", "-o", "APT::Sandbox::User=root", kernelPackage, ...PACKAGES], downloads);
  const system = join(cache, "system");
  for (const name of readdirSync(downloads)) {
    const isKernel = name.startsWith("linux-image");
    run("dpkg", ["-x", join(downloads, name), isKernel ? system : overlay], cache);
  }
  mergeIntoUsr(overlay);
  const version = kernelPackage.replace("linux-image-", "");
  renameSync(join(system, "boot", `vmlinuz-${version}`), image.kernel);
  const modules = inLoadOrder(join(system, "lib/modules", version));
  const files = [
    ...initrdOf(modules, join(overlay, "usr/bin/busybox"), init),
    ...filesOf(overlay, "packages"),
  ];
  writeFileSync(image.initrd, cpioArchive(files));
  for (const folder of [system, overlay, downloads]) rmSync(folder, { recursive: true });
  writeFileSync(stamp, wanted);
  return image;
}

const run = (program: string, args: readonly string[], cwd: string): string =>
  execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

function newestKernel(): string {
  const depends = run("apt-cache", ["depends", "linux-image-amd64"], "/");
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (name === undefined) throw new Error("no Debian kernel: run apt-get update");
  return name;
}

const versionsOf = (packages: readonly string[]): string =>
  run("apt-cache", ["policy", ...packages], "/")
    .split("\n")
    .filter((line) => /^\S|Candidate:/.test(line))
    .join(" ");

/** This machine's /lib and /bin are links into /usr; folders of these names would hide them. */
function mergeIntoUsr(root: string): void {
  for (const name of ["bin", "sbin", "lib"]) {
    const from = join(root, name);
    if (!existsSync(from) || !lstatSync(from).isDirectory()) continue;
    cpSync(from, join(root, "usr", name), { recursive: true, verbatimSymlinks: true });
    rmSync(from, { recursive: true });
  }
}

/** Each module after those that it needs, which it names itself. */
function inLoadOrder(folder: string): readonly string[] {
  const files = new Map(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ko"))
      .map((name) => [moduleName(name), join(folder, name)]),
  );
  const ordered = new Set<string>();
  const visit = (name: string): void => {
    const file = files.get(name);
    // What is not there is built into the kernel.
    if (file === undefined || ordered.has(file)) return;
    const needs = /\0depends=([^\0]*)\0/.exec(readFileSync(file, "latin1"))?.[1] ?? "";
    for (const need of needs.split(",")) visit(moduleName(need));
    ordered.add(file);
  };
  for (const name of MODULES) visit(name);
  return [...ordered];
}

const moduleName = (file: string): string => basename(file, ".ko").replaceAll("-", "_");

function initrdOf(modules: readonly string[], busybox: string, init: string): readonly ArchiveEntry[] {
  return [
    ...["bin", "lib", "proc", "sys", "dev", "host", "scratch", "guest"].map((path) => ({
      path,
      mode: 0o40755,
    })),
    { path: "init", mode: 0o100755, bytes: Buffer.from(init) },
    { path: "bin/busybox", mode: 0o100755, bytes: readFileSync(busybox) },
    {
      path: "modules",
      mode: 0o100644,
      bytes: Buffer.from(`${modules.map((file) => basename(file)).join("\n")}\n`),
    },
    ...modules.map((file) => ({ path: `lib/${basename(file)}`, mode: 0o100644, bytes: readFileSync(file) })),
  ];
}
