"""Market files of Europe: ENTSO-E, SMARD, Energy-Charts, OMIE, Nord Pool and Ember."""
