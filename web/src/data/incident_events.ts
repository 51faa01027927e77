// What changes incidents, for whoever shows them.
export const incidentEvents = [
  "run.finished",
  "incident.opened",
  "incident.reopened",
  "incident.resolved",
  "incident.acknowledged",
];
