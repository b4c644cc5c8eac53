import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import type { AwsCli } from "./aws-cli.js";

const openssl = (...args: string[]): string =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
const ID = /^[0-9a-f]{64}$/;

/** A key and a request in the CLI's home, made as the tutorials do. */
function request(aws: AwsCli, name: string, subject: string): { readonly csr: string; readonly key: string } {
  const key = aws.file(`${name}.key`);
  const csr = aws.file(`${name}.csr`);
  openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key);
  openssl("req", "-new", "-key", key, "-subj", subject, "-out", csr);
  return { csr, key };
}

interface OwnAuthority {
  readonly certificate: string;
  readonly key: string;
  /** Signs a request. @returns the certificate's file */
  sign(csr: string, name: string): string;
}

function makeAuthority(aws: AwsCli, name: string): OwnAuthority {
  const key = aws.file(`${name}.key`);
  const certificate = aws.file(`${name}.pem`);
  openssl(
    ...`req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=${name} -addext`.split(" "),
    ...`basicConstraints=critical,CA:TRUE -keyout ${key} -out ${certificate}`.split(" "),
  );
  return {
    certificate,
    key,
    sign: (csr, file) => {
      const out = aws.file(file);
      openssl(
        "x509",
        "-req",
        "-in",
        csr,
        "-CA",
        certificate,
        "-CAkey",
        key,
        "-CAcreateserial",
        "-days",
        "30",
        "-out",
        out,
      );
      return out;
    },
  };
}

export function certificatesChapter(aws: AwsCli): void {
  it("makes keys and a certificate, and writes them where the user says", async () => {
    const made = await aws`iot create-keys-and-certificate --set-as-active
      --certificate-pem-outfile ${aws.file("device.pem")} --private-key-outfile ${aws.file("device.key")} --public-key-outfile ${aws.file("device.pub")}`;
    expect(made.certificateId).toMatch(ID);
    expect(made.certificateArn).toBe(`arn:aws:iot:us-east-1:123456789012:cert/${made.certificateId}`);
    expect(aws.read("device.pem")).toBe(made.certificatePem);
    expect(aws.read("device.key")).toBe(made.keyPair.PrivateKey);
    expect(
      openssl("x509", "-in", aws.file("device.pem"), "-noout", "-fingerprint", "-sha256").toLowerCase(),
    ).toContain(made.certificateId.replace(/(..)(?=.)/g, "$1:"));
    expect(openssl("rsa", "-in", aws.file("device.key"), "-check", "-noout")).toContain("RSA key ok");
    expect(openssl("pkey", "-in", aws.file("device.key"), "-pubout")).toBe(aws.read("device.pub"));

    const { certificateDescription } =
      await aws`iot describe-certificate --certificate-id ${made.certificateId}`;
    expect(certificateDescription).toMatchObject({
      certificateId: made.certificateId,
      certificatePem: made.certificatePem,
      status: "ACTIVE",
      ownedBy: "123456789012",
      certificateMode: "DEFAULT",
      customerVersion: 1,
    });
    expect(Date.parse(certificateDescription.creationDate)).toBeGreaterThan(Date.now() - 60_000);
    expect(Date.parse(certificateDescription.validity.notAfter)).toBe(Date.UTC(2049, 11, 31, 23, 59, 59));
  });

  it("signs the user's request, inactive unless told otherwise", async () => {
    const { csr } = request(aws, "from-csr", "/CN=from csr/O=Fleet");
    const made = await aws`iot create-certificate-from-csr --certificate-signing-request file://${csr}`;
    expect(made.keyPair).toBeUndefined();
    const { certificateDescription } =
      await aws`iot describe-certificate --certificate-id ${made.certificateId}`;
    expect(certificateDescription.status).toBe("INACTIVE");
    const subject = openssl("x509", "-in", aws.file("made.pem", made.certificatePem), "-noout", "-subject");
    expect(subject).toContain("CN = from csr");
  });

  it("refuses a request that is none, and certificates that nobody knows", async () => {
    expect(
      await aws.refused`iot create-certificate-from-csr --certificate-signing-request ${"no request"}`,
    ).toMatchObject({ name: "InvalidRequestException", operation: "CreateCertificateFromCsr" });
    expect(await aws.refused`iot describe-certificate --certificate-id ${"0".repeat(64)}`).toMatchObject({
      name: "ResourceNotFoundException",
    });
    const { code, stderr } = await aws.ending`iot describe-certificate --certificate-id short`;
    expect({ code, stderr }).toMatchObject({ code: 252, stderr: expect.stringContaining("certificateId") });
  });

  it("walks a certificate through its states, and deletes it only when it is neither active nor in use", async () => {
    const { certificateId, certificateArn } = await aws`iot create-keys-and-certificate --set-as-active`;
    expect(await aws.refused`iot delete-certificate --certificate-id ${certificateId}`).toMatchObject({
      name: "CertificateStateException",
    });
    await aws`iot update-certificate --certificate-id ${certificateId} --new-status INACTIVE`;
    const policy = { Version: "2012-10-17", Statement: [] };
    await aws`iot create-policy --policy-name holds-on --policy-document ${{ ...policy, Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: "*" }] }}`;
    await aws`iot attach-policy --policy-name holds-on --target ${certificateArn}`;
    expect(await aws.refused`iot delete-certificate --certificate-id ${certificateId}`).toMatchObject({
      name: "DeleteConflictException",
    });
    await aws`iot detach-policy --policy-name holds-on --target ${certificateArn}`;
    await aws`iot update-certificate --certificate-id ${certificateId} --new-status REVOKED`;
    const { certificateDescription } = await aws`iot describe-certificate --certificate-id ${certificateId}`;
    expect(certificateDescription.status).toBe("REVOKED");
    expect(await aws`iot delete-certificate --certificate-id ${certificateId}`).toBeUndefined();
    expect(await aws.refused`iot describe-certificate --certificate-id ${certificateId}`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("lists certificates page by page, oldest first when asked", async () => {
    const all = await aws`iot list-certificates --ascending-order`;
    const ids = all.certificates.map((each: { certificateId: string }) => each.certificateId);
    expect(ids.length).toBeGreaterThanOrEqual(2);
    // The API's own page size turns the CLI's paging off.
    const page = await aws`iot list-certificates --ascending-order --page-size 1`;
    expect(page).toEqual({ certificates: [all.certificates[0]], nextMarker: expect.any(String) });
    const next = await aws`iot list-certificates --ascending-order --page-size 1 --marker ${page.nextMarker}`;
    expect(next.certificates).toEqual([all.certificates[1]]);
    const first = await aws`iot list-certificates --ascending-order --max-items 1`;
    expect(first.certificates).toEqual([all.certificates[0]]);
    const second =
      await aws`iot list-certificates --ascending-order --max-items 1 --starting-token ${first.NextToken}`;
    expect(second.certificates).toEqual([all.certificates[1]]);
    const newest = await aws`iot list-certificates`;
    expect(newest.certificates.map((each: { certificateId: string }) => each.certificateId)).toEqual(
      ids.toReversed(),
    );
  });

  it("registers an authority whose key the user has proven to hold, and certificates that it signed", async () => {
    const { registrationCode } = await aws`iot get-registration-code`;
    expect(registrationCode).toMatch(ID);
    expect((await aws`iot get-registration-code`).registrationCode).toBe(registrationCode);
    const own = makeAuthority(aws, "own-ca");
    const proof = own.sign(request(aws, "proof", `/CN=${registrationCode}`).csr, "proof.pem");
    const wrong = own.sign(request(aws, "wrong", "/CN=not the code").csr, "wrong.pem");
    expect(
      await aws.refused`iot register-ca-certificate --ca-certificate file://${own.certificate} --verification-certificate file://${wrong}`,
    ).toMatchObject({ name: "RegistrationCodeValidationException" });
    const ca =
      await aws`iot register-ca-certificate --ca-certificate file://${own.certificate} --verification-certificate file://${proof}
      --set-as-active --allow-auto-registration --registration-config ${{ templateBody: JSON.stringify({ Resources: {} }), roleArn: "arn:aws:iam::123456789012:role/jitp" }}`;
    expect(ca.certificateArn).toBe(`arn:aws:iot:us-east-1:123456789012:cacert/${ca.certificateId}`);
    expect(
      await aws.refused`iot register-ca-certificate --ca-certificate file://${own.certificate} --verification-certificate file://${proof}`,
    ).toMatchObject({ name: "ResourceAlreadyExistsException" });
    const described = await aws`iot describe-ca-certificate --certificate-id ${ca.certificateId}`;
    expect(described).toMatchObject({
      certificateDescription: {
        status: "ACTIVE",
        autoRegistrationStatus: "ENABLE",
        certificateMode: "DEFAULT",
      },
      registrationConfig: { roleArn: "arn:aws:iam::123456789012:role/jitp" },
    });
    expect((await aws`iot list-ca-certificates`).certificates).toMatchObject([
      { certificateId: ca.certificateId, certificateArn: ca.certificateArn, status: "ACTIVE" },
    ]);

    const leaf = own.sign(request(aws, "leaf", "/CN=leaf").csr, "leaf.pem");
    const registered =
      await aws`iot register-certificate --certificate-pem file://${leaf} --ca-certificate-pem file://${own.certificate} --status ACTIVE`;
    expect(registered.certificateId).toMatch(ID);
    expect(
      await aws.refused`iot register-certificate --certificate-pem file://${leaf} --ca-certificate-pem file://${own.certificate}`,
    ).toMatchObject({ name: "ResourceAlreadyExistsException" });
    const { certificateDescription } =
      await aws`iot describe-certificate --certificate-id ${registered.certificateId}`;
    expect(certificateDescription).toMatchObject({ caCertificateId: ca.certificateId, status: "ACTIVE" });
    const signed = await aws`iot list-certificates-by-ca --ca-certificate-id ${ca.certificateId}`;
    expect(signed.certificates).toMatchObject([{ certificateId: registered.certificateId }]);

    await aws`iot update-ca-certificate --certificate-id ${ca.certificateId} --new-auto-registration-status DISABLE`;
    expect(await aws.refused`iot delete-ca-certificate --certificate-id ${ca.certificateId}`).toMatchObject({
      name: "CertificateStateException",
    });
    await aws`iot update-ca-certificate --certificate-id ${ca.certificateId} --new-status INACTIVE`;
    await aws`iot delete-ca-certificate --certificate-id ${ca.certificateId}`;
    expect(await aws.refused`iot describe-ca-certificate --certificate-id ${ca.certificateId}`).toMatchObject(
      {
        name: "ResourceNotFoundException",
      },
    );
    await aws`iot delete-registration-code`;
    expect((await aws`iot get-registration-code`).registrationCode).not.toBe(registrationCode);
  });

  it("registers a stranger's certificate without an authority", async () => {
    const own = makeAuthority(aws, "unknown-ca");
    const leaf = own.sign(request(aws, "stray", "/CN=stray").csr, "stray.pem");
    expect(await aws.refused`iot register-certificate --certificate-pem file://${leaf}`).toMatchObject({
      name: "CertificateValidationException",
    });
    const registered =
      await aws`iot register-certificate-without-ca --certificate-pem file://${leaf} --status ACTIVE`;
    const { certificateDescription } =
      await aws`iot describe-certificate --certificate-id ${registered.certificateId}`;
    expect(certificateDescription).toMatchObject({ certificateMode: "SNI_ONLY", status: "ACTIVE" });
  });

  it("hands certificates over to another account", async () => {
    const { certificateId } = await aws`iot create-keys-and-certificate`;
    await aws`iot transfer-certificate --certificate-id ${certificateId} --target-aws-account 210987654321 --transfer-message moving`;
    const { certificateDescription } = await aws`iot describe-certificate --certificate-id ${certificateId}`;
    expect(certificateDescription).toMatchObject({
      status: "PENDING_TRANSFER",
      transferData: { transferMessage: "moving" },
    });
    expect((await aws`iot list-outgoing-certificates`).outgoingCertificates).toMatchObject([
      { certificateId, transferredTo: "210987654321" },
    ]);
    await aws`iot cancel-certificate-transfer --certificate-id ${certificateId}`;
    expect((await aws`iot list-outgoing-certificates`).outgoingCertificates).toEqual([]);
    expect(
      await aws.refused`iot cancel-certificate-transfer --certificate-id ${certificateId}`,
    ).toMatchObject({
      name: "TransferAlreadyCompletedException",
    });
    for (const answer of ["reject", "accept"]) {
      await aws`iot transfer-certificate --certificate-id ${certificateId} --target-aws-account 210987654321`;
      await aws`iot ${answer}-certificate-transfer --certificate-id ${certificateId}`;
    }
  });
}
