"""What each kernel does with each profile: measured (`measure`), kept (`results`, `summary`), judged (`cell`, `brackets`) and
shown (`page`, `picture`)."""
