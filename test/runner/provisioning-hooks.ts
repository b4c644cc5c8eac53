/** Lets devices with an even index pass. */
export const evenOnly = ({ parameters }: { readonly parameters: { readonly Name: string } }) => ({
  allowProvisioning: Number(parameters.Name.split("-")[1]) % 2 === 0,
});
