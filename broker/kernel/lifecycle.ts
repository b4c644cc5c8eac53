/** Something that runs until it is stopped. `stop` releases every handle and may be called twice. */
export interface Service {
  stop(): Promise<void>;
}

/**
 * Stops services in reverse order of their start. One failing stop does not keep the others from stopping;
 * the failures are thrown together at the end.
 */
export class ServiceStack implements Service {
  private readonly services: Service[] = [];

  add<T extends Service>(service: T): T {
    this.services.push(service);
    return service;
  }

  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (let service = this.services.pop(); service !== undefined; service = this.services.pop()) {
      try {
        await service.stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, "Several services failed to stop.");
  }
}
