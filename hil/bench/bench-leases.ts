/** The right to use a board; see `hil/lease`. */
export interface BenchLease {
  release(): void;
}

/** Where leases are to be had. */
export interface LeaseDesk {
  /** @throws FleetrigError BOARD_LEASED (rejection) */
  acquire(request: {
    readonly key: string;
    readonly purpose: string;
    readonly patienceUs: number;
  }): Promise<BenchLease>;
}
