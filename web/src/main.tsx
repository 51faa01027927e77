import { render } from "preact";
import { useEffect } from "preact/hooks";
import { startListening } from "./data/live";
import { applyTheme } from "./data/preferences";
import { place, startRouting } from "./data/router";
import { useStore } from "./data/store";
import { Empty, To } from "./parts/basics";
import { Shell } from "./parts/shell";
import { FindingPage } from "./pages/Finding";
import { IncidentPage } from "./pages/Incident";
import { Incidents } from "./pages/Incidents";
import { Kernels } from "./pages/Kernels";
import { Overview } from "./pages/Overview";
import { RunPage } from "./pages/Run";
import { Runs } from "./pages/Runs";
import { Start } from "./pages/Start";
import { TargetPage } from "./pages/Target";
import "./styles/all.css";

// The page of a path, with what to call it.
function pageOf(path: string) {
  const [, first = "", second] = path.split("/");
  const id = decodeURIComponent(second ?? "");
  if (first === "") return { title: "Overview", page: <Overview /> };
  if (first === "runs" && id) return { title: `Run ${id}`, page: <RunPage key={id} id={id} /> };
  if (first === "runs") return { title: "Runs", page: <Runs /> };
  if (first === "findings" && id) return { title: `Finding ${id}`, page: <FindingPage key={id} id={id} /> };
  if (first === "incidents" && id) return { title: `Incident ${id}`, page: <IncidentPage key={id} id={id} /> };
  // Where findings were listed before.
  if (first === "incidents" || first === "findings") return { title: "Incidents", page: <Incidents /> };
  if (first === "targets" && id) return { title: id, page: <TargetPage key={id} name={id} /> };
  if (first === "kernels") return { title: "Kernels", page: <Kernels /> };
  if (first === "start") return { title: "Start a run", page: <Start /> };
  return {
    title: "Not here",
    page: (
      <>
        <h1>Not here</h1>
        <Empty>
          There is nothing at this address. <To href="/">To the overview</To>
        </Empty>
      </>
    ),
  };
}

function App() {
  const path = useStore(place).split("?")[0] ?? "/";
  const { title, page } = pageOf(path);
  useEffect(() => {
    document.title = `${title} · writecanary`;
  }, [title]);
  return <Shell>{page}</Shell>;
}

applyTheme();
startRouting();
startListening();
render(<App />, document.getElementById("app") as HTMLElement);
