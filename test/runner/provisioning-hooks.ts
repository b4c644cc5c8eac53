/** Lets devices with an even index pass. */
export const evenOnly = ({ parameters }: { readonly parameters: { readonly Name: string } }) => ({
  allowProvisioning: Number(parameters.Name.split("-")[1]) % 2 === 0,
});

const ARN = "arn:aws:iot:us-east-1:123456789012";

interface AuthorizerEvent {
  readonly protocolData: { readonly mqtt: { readonly clientId: string; readonly password?: string } };
}

/** Lets in who knows the password; it may publish to its own topic. */
export const byPassword = ({ protocolData: { mqtt } }: AuthorizerEvent) => ({
  isAuthenticated: Buffer.from(mqtt.password ?? "", "base64").toString() === `secret-of-${mqtt.clientId}`,
  principalId: "device",
  disconnectAfterInSeconds: 3600,
  refreshAfterInSeconds: 3600,
  policyDocuments: [
    {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "iot:Connect", Resource: `${ARN}:client/${mqtt.clientId}` },
        { Effect: "Allow", Action: "iot:Publish", Resource: `${ARN}:topic/t/${mqtt.clientId}` },
      ],
    },
  ],
});
