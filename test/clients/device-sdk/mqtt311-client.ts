import { iot, mqtt } from "aws-iot-device-sdk-v2";
import type { DeviceIdentity } from "../device-account.js";

/** A connection of the SDK's older client, with a device's certificate. */
export async function connectMqtt311(
  identity: DeviceIdentity,
  { ca, port, clientId }: { readonly ca: string; readonly port: number; readonly clientId: string },
): Promise<mqtt.MqttClientConnection> {
  const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(
    identity.certificatePem,
    identity.privateKeyPem,
  )
    .with_certificate_authority(ca)
    .with_endpoint("localhost")
    .with_port(port)
    .with_client_id(clientId)
    .with_clean_session(true)
    .build();
  const connection = new mqtt.MqttClient().new_connection(config);
  await connection.connect();
  return connection;
}
