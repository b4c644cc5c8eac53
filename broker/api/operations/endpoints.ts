import { cloudError } from "../../cloud-error.js";
import { operation, type OperationTable } from "../operation.js";

/** AWS: the type that is meant when none is given. */
const DEFAULT_TYPE = "iot:Data";

/** Where clients connect. */
export const endpointOperations: OperationTable = {
  DescribeEndpoint: operation<{ readonly endpointType?: string }>(
    ({ endpointType = DEFAULT_TYPE }, { cloud }) => {
      const endpointAddress = cloud.endpointDirectory.ofType(endpointType);
      if (endpointAddress !== undefined) return { endpointAddress };
      throw cloudError(
        "InvalidRequestException",
        `There is no endpoint type ${JSON.stringify(endpointType)}.`,
        {
          hint: "There are iot:Data-ATS, iot:CredentialProvider and iot:Jobs.",
        },
      );
    },
  ),
};
