import { declareCases } from "./declare-cases.js";

declareCases("v5");
