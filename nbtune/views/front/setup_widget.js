import { page } from "./page.js";
import { SetupView } from "./setup.js";

export default () => page(SetupView);
