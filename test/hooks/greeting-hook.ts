import type { HookContext } from "fleetrig/broker";

/** A user's module: what `./hook.ts` of a bench would be. */
export const handler = (event: { readonly name: string }, context: HookContext): object => ({
  hello: event.name,
  from: context.functionName,
});

export default (): object => ({ from: "default" });

export const slow = async (): Promise<object> => {
  await Promise.resolve();
  return { from: "slow" };
};

export const notAFunction = 1;
