import { declareCases } from "./declare-cases.js";

declareCases("v3.1.1");
