import { declareCases } from "./declare-cases.js";

declareCases("aws");
