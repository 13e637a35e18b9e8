import { LiveView } from "./live.js";
import { page } from "./page.js";

export default () => page(LiveView);
