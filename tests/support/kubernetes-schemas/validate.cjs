// Validates Kubernetes objects (a JSON array on stdin) against the published schemas; one line for each mistake.
"use strict";

const groups = {
  "v1": require("kubernetes-models/v1"),
  "apps/v1": require("kubernetes-models/apps/v1"),
  "monitoring.coreos.com/v1": require("@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1"),
};

function mistakeIn(object) {
  const Model = groups[object.apiVersion]?.[object.kind];
  if (!Model) return `there is no schema for ${object.apiVersion} ${object.kind}`;
  try {
    new Model(object).validate();
    return null;
  } catch (error) {
    return error.message;
  }
}

const objects = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const object of objects) {
  const mistake = mistakeIn(object);
  if (mistake) console.log(`${object.kind} ${object.metadata?.name}: ${mistake}`);
}
