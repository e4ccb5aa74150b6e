"""Looking inside a training: what is saved while it runs, and what is drawn of it afterwards.

`Recorder` saves latents of fixed showers and the states of the conditioner's circuit at chosen
steps; `look` computes the figures of a run, `write_inspection` draws them.
"""
